"""Reading a prompt: text, phrases, figures, keys, titles. Standard library only; `composer.brief` is the way in."""
