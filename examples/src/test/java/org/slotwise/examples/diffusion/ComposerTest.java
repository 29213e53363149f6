package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.slotwise.composition.LibraryOptions;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.slate.SlotChoice;

class ComposerTest {

    /** Backgrounds are near 0, objects near 10; the last picture has an empty slot of each. */
    private static SlotLibrary library(NDManager manager) {
        NDArray slots =
                manager.create(new float[][] {{0, 10}, {0.1f, 11}, {0.2f, 10.5f}, {0.3f, 9}})
                        .expandDims(2);
        NDArray shares =
                manager.create(
                        new float[][] {{0.9f, 0.1f}, {0.8f, 0.2f}, {0.9f, 0.1f}, {0.02f, 0.01f}});
        return SlotLibrary.of(slots, shares, LibraryOptions.builder().optClusters(2).build());
    }

    /** There are fewer than are asked for. */
    @Test
    void slotsAreThereTwiceWhereTheyMust() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Composer composer = new Composer(library(manager), Composer.Rule.OBJECTS, 5);
            for (List<SlotChoice> picture : composer.pictures(1, 0, 10)) {
                assertEquals(6, picture.size());
                assertEquals(4, Set.copyOf(picture).size());
            }
        }
    }

    @Test
    void emptySlotsAreNotDrawn() {
        try (NDManager manager = NDManager.newBaseManager()) {
            SlotLibrary library = library(manager);
            Composer composer = new Composer(library, Composer.Rule.OBJECTS, 2);
            Set<Integer> grounds = new HashSet<>();
            Set<Integer> things = new HashSet<>();
            for (List<SlotChoice> picture : composer.pictures(1, 0, 100)) {
                assertEquals(3, picture.size());
                assertEquals(0, picture.get(0).slot());
                grounds.add(picture.get(0).picture());
                assertNotEquals(picture.get(1), picture.get(2));
                for (SlotChoice thing : picture.subList(1, 3)) {
                    assertEquals(1, thing.slot());
                    things.add(thing.picture());
                }
            }
            assertEquals(Set.of(0, 1, 2), grounds);
            assertEquals(Set.of(0, 1, 2), things);
            assertEquals(composer.pictures(1, 7, 9), composer.pictures(1, 0, 9).subList(7, 9));
            assertNotEquals(composer.pictures(1, 0, 9), composer.pictures(2, 0, 9));
        }
    }
}
