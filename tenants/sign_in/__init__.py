"""How a person enters: links, password and second factor, sessions, and the limit on guessing."""
