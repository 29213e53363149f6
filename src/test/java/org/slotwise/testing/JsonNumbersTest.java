package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.JsonNumbers.assertNear;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonNumbersTest {

    private static final String GOOD = "{\"a\":[1,{\"b\":0.25}],\"c\":\"x\",\"d\":null}";

    @Test
    void roundingIsNoDifference() {
        assertNear(GOOD, GOOD.replace("0.25", "0.250005"));
        assertNear(GOOD.replace("0.25", "300"), GOOD.replace("0.25", "300.002"));
    }

    @ParameterizedTest
    @CsvSource({"0.25, 0.2502", "0.25, true", "x, y", "null, 0", "b, e", "'[1,', '[1,2,'"})
    void allElseIs(String from, String to) {
        assertThrows(AssertionError.class, () -> assertNear(GOOD, GOOD.replace(from, to)));
    }
}
