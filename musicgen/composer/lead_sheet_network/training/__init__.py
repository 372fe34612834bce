"""How the lead-sheet network was made: data preparation, training, evaluation. Inference never imports this."""
