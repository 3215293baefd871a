"""What the commands of `fenzhen` do, a file each; `fenzhen.cli` only reads their options."""
