"""A real Tryton on this machine: installed from wheels, seeded with a shop's catalogue, started.

For demonstrations and tests. `launch` in `launch.py` does all of it; nothing here is used when a
retailer's own Tryton is connected.
"""
