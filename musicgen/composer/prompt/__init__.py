"""Reading a prompt: text, phrases, numbers, keys, titles. `composer.brief` puts the parts together. Standard library only."""
