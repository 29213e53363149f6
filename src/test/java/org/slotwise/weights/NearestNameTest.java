package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hints in errors: names that were probably meant. */
class NearestNameTest {

    private static String nearest(String name, String... candidates) {
        return new NearestName(List.of(candidates)).of(name);
    }

    /** Of nine characters three may change: put in, left out or others, wherever they are. */
    @ParameterizedTest
    @CsvSource({
        "abcdefghi, 012abcdefghi", "abcdefghi, abcdefghi012", "abcdefghi, a0b1c2defghi",
        "abcdefghi, defghi", "abcdefghi, abcdef", "abcdefghi, 012defghi",
        "abcdefghi, abcdef012", "abcdefghi, 0abcefgh2"
    })
    void threeChangesOfNineCharacters(String name, String candidate) {
        assertEquals(candidate, nearest(name, candidate));
        assertNull(nearest(name.substring(0, 2), candidate), "a short name changes less");
    }

    @Test
    void fourChangesOfNineAreTooMany() {
        assertNull(nearest("abcdefghi", "0123abcdefghi"));
        assertNull(nearest("abcdefghi", "abcdefghi0123"));
        assertNull(nearest("abcdefghi", "efghi"));
        assertNull(nearest("abcdefghi", "0123efghi"));
        assertNull(nearest("abcdefghi", "01abcdefg"), "two put in, two left out");
        assertNull(nearest("abcdefghi", "cdefghi01"), "two left out, two put in");
        assertNull(nearest("abcdefghi", "abcde0123"));
        assertEquals("ab", nearest("ab", "ab"));
        assertNull(nearest("ab", "ac"), "less than one of two");
        assertEquals("abd", nearest("abc", "abd"));
    }

    @Test
    void theNearestAndOfEqualsTheFirst() {
        assertEquals("abcdef0", nearest("abcdefg", "abcde00", "abcdef0", "abcdef1"));
        assertEquals("abcdefg", nearest("abcdefg", "abcdef0", "abcdefg"));
    }

    /** Names of more than 512 characters are no names that someone mistyped. */
    @Test
    void longNamesAreNotCompared() {
        String most = "n".repeat(511);
        assertEquals(most + "x", nearest(most + "y", most + "x"));
        assertNull(nearest(most + "yy", most + "x"));
        assertNull(nearest(most + "y", most + "xx"));
    }

    /** 763 pairs of 512 characters are the most that is compared, over all names. */
    @Test
    void comparesNoMoreThanTakesASecond() {
        String name = "n".repeat(511);
        NearestName nearest = new NearestName(List.of(name + "x"));
        for (int i = 0; i < 762; i++) {
            assertEquals(name + "x", nearest.of(name + "y"), "after " + i);
        }
        assertNull(nearest.of(name + "y"));
        assertNull(nearest.of(name + "x"), "once it is enough, it is");
    }
}
