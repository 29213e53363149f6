package org.slotwise.composition;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.StateDict;

/** Slots that hold next to nothing, and slots that are drawn more than once. */
@ExtendWith(OnDevice.class)
class EmptySlotsTest {

    @TempDir private Path folder;

    /** Grounds are rows 0, 2, 4 and 6, objects 1, 3, 5 and 7; rows 4 and 7 are empty. */
    private static SlotLibrary library(NDManager manager, boolean withShares) {
        NDArray slots =
                manager.create(new float[] {0, 10, 0, 11, 0, 10, 0, 11}, new Shape(4, 2, 1));
        NDArray shares =
                manager.create(
                        new float[] {0.9f, 0.1f, 0.8f, 0.2f, 0.02f, 0.1f, 0.7f, 0.01f},
                        new Shape(4, 2));
        return SlotLibrary.of(
                slots,
                withShares ? shares : null,
                manager.create(new float[] {0, 10}, new Shape(2, 1)),
                LibraryOptions.builder().optClusters(2).optLeastShare(0.1).build());
    }

    private static Set<Integer> drawn(SlotLibrary library, CompositionRule rule) {
        Composition composed = library.compose(200, rule, 3);
        Set<Integer> rows = new TreeSet<>();
        for (int i = 0; i < composed.size(); i++) {
            Arrays.stream(composed.rows(i)).forEach(rows::add);
        }
        return rows;
    }

    @Test
    void areNotDrawnOfALibraryWithoutThem(NDManager manager) throws IOException {
        SlotLibrary all = library(manager, true);
        SlotLibrary full = all.withoutEmptySlots(0.5);
        assertEquals(Set.of(0, 1, 2, 3, 4, 5, 6, 7), drawn(all, CompositionRule.onePerCluster()));
        Set<Integer> expected = Set.of(0, 1, 2, 3, 5, 6);
        assertEquals(expected, drawn(full, CompositionRule.onePerCluster()));
        assertEquals(expected, drawn(full, CompositionRule.of(0, 1, 1)));
        assertEquals(expected, drawn(full, CompositionRule.backgroundAnd(0, 1)));
        assertEquals(3, full.count(0));
        assertEquals(0.8, full.meanShare(0), 1e-6);
        assertEquals(3, full.nearest(0, 10).length);
        // What is not about members is as before.
        assertEquals(all.size(), full.size());
        assertEquals(all.background(), full.background());
        assertEquals(all.label(4), full.label(4));
        assertEquals(0.02, full.share(4), 1e-6);
        assertEquals(all.count(1), all.withoutEmptySlots(0).count(1));
    }

    @Test
    void areNotDrawnOfALibraryThatWasWrittenWithoutThem(NDManager manager) throws IOException {
        SlotLibrary full = library(manager, true).withoutEmptySlots(0.5);
        for (String name : new String[] {"library.npz", "library.safetensors"}) {
            Path file = folder.resolve(name);
            full.write(file);
            SlotLibrary read = SlotLibrary.read(file);
            assertEquals(3, read.count(0));
            assertEquals(8, read.size());
            assertEquals(full.background(), read.background());
            assertEquals(Set.of(0, 1, 2, 3, 5, 6), drawn(read, CompositionRule.onePerCluster()));
            assertEquals(0.02, read.share(4), 1e-6);
            try (StateDict content = StateDict.read(file)) {
                for (long[] wrong : new long[][] {{1, 1}, {-1}, {2, 8}, {3, 2}}) {
                    Map<String, NDArray> arrays = new LinkedHashMap<>(content.arrays());
                    arrays.put("members", manager.create(wrong));
                    StateDict.of(arrays).write(file);
                    IOException e = assertThrows(IOException.class, () -> SlotLibrary.read(file));
                    assertTrue(
                            e.getMessage().contains("numbers of members must ascend"),
                            e::getMessage);
                }
            }
        }
    }

    @Test
    void aSlotIsDrawnTwiceOnlyWhereThereIsNoOther(NDManager manager) {
        Composition pairs = library(manager, true).compose(100, CompositionRule.of(1, 0, 1, 1), 5);
        Set<Set<Integer>> objects = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            int[] rows = pairs.rows(i);
            Set<Integer> some = Set.of(rows[0], rows[2], rows[3]); // refuses equal ones
            assertEquals(0, rows[1] % 2);
            objects.add(some);
        }
        assertEquals(4, objects.size());
        Composition five =
                library(manager, true)
                        .withoutEmptySlots(0.5)
                        .compose(100, CompositionRule.of(1, 1, 1, 1, 1), 5);
        for (int i = 0; i < 100; i++) {
            Set<Integer> some = new TreeSet<>();
            Arrays.stream(five.rows(i)).forEach(some::add);
            assertEquals(Set.of(1, 3, 5), some);
        }
    }

    /** Were it judged by those that stay, the rest of a cluster of empty slots would be objects. */
    @Test
    void clustersOfEmptySlotsStayThat(NDManager manager) {
        NDArray slots =
                manager.create(new float[] {0, 10, 20, 0, 10, 20, 0, 10, 20}, new Shape(3, 3, 1));
        NDArray shares =
                manager.create(
                        new float[] {0.6f, 0.2f, 0, 0.6f, 0.2f, 0, 0.6f, 0.2f, 0.05f},
                        new Shape(3, 3));
        SlotLibrary all =
                SlotLibrary.of(
                        slots,
                        shares,
                        manager.create(new float[] {0, 10, 20}, new Shape(3, 1)),
                        LibraryOptions.builder().optClusters(3).optLeastShare(0.1).build());
        for (double leastPart : new double[] {0, 0.5, 1}) {
            SlotLibrary full = all.withoutEmptySlots(leastPart);
            assertTrue(full.isEmptySlots(2), () -> "" + full.meanShare(2));
            assertEquals(
                    Set.of(0, 1, 3, 4, 6, 7), drawn(full, CompositionRule.backgroundAnd(1, 1)));
        }
    }

    /** A mean of many numbers, rounded, may not be above all of them. */
    @Test
    void noClusterLosesAllItsMembers(NDManager manager) {
        int n = 10_007;
        NDArray slots = manager.zeros(new Shape(n, 1, 2));
        LibraryOptions one = LibraryOptions.builder().optClusters(1).build();
        for (float share : new float[] {0, 0.1f, 1 / 3f, 1e-30f}) {
            float[] shares = new float[n];
            Arrays.fill(shares, share);
            NDArray equal = manager.create(shares, new Shape(n, 1));
            assertEquals(n, SlotLibrary.of(slots, equal, one).withoutEmptySlots(1).count(0));
            shares[17] = Math.nextUp(share);
            NDArray larger = manager.create(shares, new Shape(n, 1));
            SlotLibrary full = SlotLibrary.of(slots, larger, one).withoutEmptySlots(1);
            assertEquals(Set.of(17), drawn(full, CompositionRule.onePerCluster()));
            assertEquals(1, full.withoutEmptySlots(1).count(0));
        }
    }

    @Test
    void shiftedPicturesHaveAllSlots(NDManager manager) {
        SlotLibrary full = library(manager, true).withoutEmptySlots(1);
        Composition shifted = full.compose(4, CompositionRule.shifted(), 0);
        assertArrayEquals(new int[] {4, 7}, shifted.rows(2));
    }

    @Test
    void errors(NDManager manager) {
        for (double part : new double[] {1.5, -0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    "SlotLibrary: leastPart must be from 0 to 1, got " + part,
                    () -> library(manager, true).withoutEmptySlots(part));
        }
        assertRefused(
                "SlotLibrary: empty slots are not known without shares of the attention; give shares"
                        + " where the library is made",
                () -> library(manager, false).withoutEmptySlots(0.5));
    }
}
