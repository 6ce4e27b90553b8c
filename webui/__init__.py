"""The pages: Flask, Folium and nothing that decides."""
