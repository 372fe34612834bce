import { afterEach, expect, it, vi } from "vitest";
import { copyText } from "./copy-text.ts";

function clipboard(value: unknown): void {
  Object.defineProperty(navigator, "clipboard", { value, configurable: true });
}

afterEach(() => {
  Reflect.deleteProperty(navigator, "clipboard");
  Reflect.deleteProperty(document, "execCommand");
});

it("uses the clipboard", async () => {
  const writeText = vi.fn().mockResolvedValue(undefined);
  clipboard({ writeText });
  expect(await copyText("it's")).toBe(true);
  expect(writeText).toHaveBeenCalledWith("it's");
});

it("selects the text where there is no clipboard, and gives the focus back", async () => {
  const button = document.body.appendChild(document.createElement("button"));
  button.focus();
  let selected = "";
  const execCommand = (): boolean => {
    const area = document.activeElement as HTMLTextAreaElement;
    selected = area.value.slice(area.selectionStart, area.selectionEnd);
    return true;
  };
  Object.assign(document, { execCommand });
  expect(await copyText("two\nlines")).toBe(true);
  expect(selected).toBe("two\nlines");
  expect(document.activeElement).toBe(button);
  expect(document.querySelector("textarea")).toBeNull();
  button.remove();
});

it("says that it cannot", async () => {
  clipboard({ writeText: vi.fn().mockRejectedValue(new DOMException("denied", "NotAllowedError")) });
  Object.assign(document, { execCommand: () => false });
  expect(await copyText("x")).toBe(false);
});
