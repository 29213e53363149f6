package org.slotwise.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import org.junit.jupiter.api.Test;

class CosineTemperatureTest {

    @Test
    void fallsAlongACosine() {
        CosineTemperature temperature = new CosineTemperature(1, 0.1, 30_000);
        assertEquals(1, temperature.at(0));
        assertEquals(1, temperature.at(-5));
        assertEquals(0.55, temperature.at(15_000), 1e-15);
        assertEquals(0.1 + 0.45 * (1 - Math.sqrt(0.5)), temperature.at(22_500), 1e-15);
        assertEquals(0.1, temperature.at(30_000), 1e-15);
        assertEquals(0.1, temperature.at(1_000_000), 1e-15);
        assertEquals(0.55f, temperature.getNewValue(15_000));
    }

    @Test
    void refuses() {
        String who = "CosineTemperature: ";
        assertRefused(
                who + "start must be above 0 and finite, got 0.0",
                () -> new CosineTemperature(0, 0.1, 1));
        assertRefused(
                who + "end must be above 0 and at most start 1.0, got 2.0",
                () -> new CosineTemperature(1, 2, 1));
        assertRefused(
                who + "steps must be at least 1, got 0", () -> new CosineTemperature(1, 0.1, 0));
    }
}
