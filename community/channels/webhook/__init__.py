"""The generic webhook channel: any system that can sign a POST can be heard and answered."""
