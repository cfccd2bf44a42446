"""The return saga: observe facts, plan what is missing, perform it, decide what a person must."""
