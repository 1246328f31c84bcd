"""The photographs that training learns from, and what is known of the faces in them."""
