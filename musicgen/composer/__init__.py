"""The built-in engine: prompt -> Brief -> Plan -> lead sheet -> Score -> Waveform, with nothing to download."""
