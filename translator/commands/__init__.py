"""The commands of ``fom``, one module each; `translator.cli` registers them."""
