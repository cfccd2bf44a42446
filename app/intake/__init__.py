"""Intake: receive, poll, read files record by record, recognise repeats, store before answering."""
