"""A network against a specification or another network: methods that find a shortest difference, or show that there is none."""
