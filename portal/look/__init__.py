"""How the portal looks under a brand: colours that can always be read, from few typed values."""
