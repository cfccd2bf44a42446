"""The oversell benchmark on the running product: channels, customers, a judge of logs."""
