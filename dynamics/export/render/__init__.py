"""What turns a laid-out chart into a file: Chromium, films, web pages."""
