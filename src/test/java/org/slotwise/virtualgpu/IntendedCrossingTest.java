package org.slotwise.virtualgpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IntendedCrossingTest {

    /** What has been renamed or mended must not stay on the list. */
    @ParameterizedTest
    @EnumSource
    void isInTheLibrary(IntendedCrossing intended) {
        for (String place : intended.places()) {
            assertTrue(isMethod(place) || isClass(place), place);
        }
    }

    private static boolean isClass(String name) {
        return find(name).isPresent();
    }

    private static boolean isMethod(String name) {
        int dot = name.lastIndexOf('.');
        String method = name.substring(dot + 1);
        return find(name.substring(0, dot)).stream()
                .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
                .anyMatch(declared -> declared.getName().equals(method));
    }

    private static Optional<Class<?>> find(String name) {
        try {
            Class<?> found =
                    Class.forName(
                            "org.slotwise." + name,
                            false,
                            IntendedCrossingTest.class.getClassLoader());
            return Optional.of(found);
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }

    @Test
    void knowsPlacesByWholeNames() {
        for (IntendedCrossing intended : IntendedCrossing.values()) {
            String place = intended.places().get(0);
            assertEquals(intended, listed(place).orElseThrow());
            assertEquals(Optional.empty(), listed(place + "Else"));
        }
    }

    private static Optional<IntendedCrossing> listed(String name) {
        return Arrays.stream(Direction.values())
                .flatMap(way -> IntendedCrossing.of(way, new Place(name, "")).stream())
                .findFirst();
    }
}
