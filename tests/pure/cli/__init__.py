"""Commands that run nothing, called as a user calls them."""
