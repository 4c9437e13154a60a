"""The colours of pictures, by name of a style."""

from __future__ import annotations

# Sky, horizon, far, near, accent, ink.
PALETTES: dict[str, tuple[str, str, str, str, str, str]] = {
    "amber": ("#F9D9A7", "#F3A66B", "#C96A4B", "#5A2E3A", "#FFF3D6", "#3A1D26"),
    "north": ("#DCE9F2", "#A9C8DC", "#5D8AA8", "#1F3B4D", "#F5B85B", "#122630"),
    "ink": ("#F4EFE4", "#E4DAC6", "#8C8577", "#2B2A28", "#B5462F", "#1C1B1A"),
    "phosphor": ("#0B1F1A", "#0F3A2E", "#1F6B4F", "#081411", "#8CF5B5", "#D8FFE8"),
    "cassette": ("#F7E6D4", "#F2B8A0", "#D96C75", "#45446B", "#F9C74F", "#2B2A4C"),
    "cutout": ("#FBF3E7", "#F2C7B6", "#E07A5F", "#3D405B", "#81B29A", "#2A2C41"),
    "riso": ("#FFF6E9", "#BFD7EA", "#FF5A5F", "#0B3954", "#FFD166", "#082B40"),
    "clay": ("#F0E4DA", "#D9BBA4", "#B5836A", "#5B3F38", "#7FA99B", "#3A2723"),
    "neon": ("#1A1033", "#3B1C71", "#8A2BA8", "#0C0720", "#29E7CD", "#F4E9FF"),
    "blueprint": ("#0F3057", "#16518C", "#2F7CC0", "#0A2240", "#F2F7FF", "#EAF3FF"),
    "garden": ("#E3F0E6", "#B7D9C4", "#6FAF93", "#21544A", "#F4A7B9", "#12322C"),
    "quiet": ("#ECE9E4", "#CFC8BF", "#9C948A", "#4A4641", "#C58B5A", "#2D2A27"),
    "comic": ("#FFF4C2", "#FFD23F", "#EE4266", "#3BCEAC", "#0EAD69", "#20203A"),
    "field": ("#F3F1E3", "#DAD7B6", "#A3A671", "#4F5D3A", "#C8553D", "#2E3622"),
}
EVERYDAY = ("amber", "north", "cutout", "garden", "quiet", "clay", "cassette", "riso")
