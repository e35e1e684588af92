"""Live channels to peers: transports that speak any codec, and the certificates they rest on."""
