"""Tests: units mirror modules; integration, browser and red-team tests run the real thing."""
