import { useEffect, useId, useState } from "react";

/** How long the keyboard must rest before the server is asked, milliseconds. */
const REST_MS = 300;

interface SearchBoxProps {
  search: string;
  onSearch: (search: string) => void;
}

/** Words to find tracks by. */
export function SearchBox({ search, onSearch }: SearchBoxProps) {
  const [text, setText] = useState(search);
  const id = useId();
  const words = text.trim();
  useEffect(() => {
    if (words === search) return;
    const timer = setTimeout(() => onSearch(words), REST_MS);
    return () => clearTimeout(timer);
  }, [words, search, onSearch]);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(words);
      }}
    >
      <label htmlFor={id} className="visually-hidden">
        Search the tracks by title and prompt
      </label>
      <input
        id={id}
        type="search"
        placeholder="Title or prompt"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </form>
  );
}
