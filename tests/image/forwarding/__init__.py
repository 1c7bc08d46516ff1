"""The image as a router, frame by frame. One machine of each kind and layout for all of these tests."""
