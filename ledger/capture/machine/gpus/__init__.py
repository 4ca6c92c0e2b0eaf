"""GPUs of this machine, by the interfaces of their makers: what they are, and how they are used."""
