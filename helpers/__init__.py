"""What the lessons share: data, models, training, figures, widgets, claims and exercises."""
