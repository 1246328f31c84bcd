"""WebP. Pillow and OpenCV (libwebp) do all of it."""
