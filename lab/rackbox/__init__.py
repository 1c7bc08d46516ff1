"""A rack in a box: the servers, controllers and services of a rack as processes of one machine."""
