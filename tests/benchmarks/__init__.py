"""What messages cost on this server and on others, side by side: `make bench`."""
