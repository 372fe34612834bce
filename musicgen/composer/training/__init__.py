"""Commands that learn figures from the music data. Nothing that composes imports this package."""
