"""From the JSON of objects, and from settings, to what the core knows: the operator and `plan` read by it alike."""
