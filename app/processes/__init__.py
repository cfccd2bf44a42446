"""The three kinds of process, put together: web, worker, scheduler; many may run of each."""
