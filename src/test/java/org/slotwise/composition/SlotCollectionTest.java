package org.slotwise.composition;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class SlotCollectionTest {

    private static final int ALL = Integer.MAX_VALUE;

    @TempDir private Path folder;

    /** Pictures of three groups far from each other: 15,000 slots are more than start at once. */
    private static NDArray slots(NDManager manager, int pictures) {
        float[] middles = {0, 10, 0, 0, 0, 10, 10, 0, 0, 0, 0, 10};
        NDArray base = manager.create(middles, new Shape(1, 3, 4));
        return base.add(Tensors.normal(manager, 1, pictures, 3, 4).mul(0.3f));
    }

    private static NDArray shares(NDManager manager, int pictures) {
        return manager.create(new float[] {0.7f, 0.25f, 0.05f}, new Shape(1, 3))
                .broadcast(pictures, 3);
    }

    private static LibraryOptions standard() {
        return LibraryOptions.builder().build();
    }

    private static SlotCollection collected(
            NDManager manager, NDArray slots, int batch, int limit) {
        SlotCollection collection = new SlotCollection(standard(), limit, 5);
        long n = slots.getShape().get(0);
        NDArray shares = shares(manager, (int) n);
        for (long from = 0; from < n; from += batch) {
            NDIndex some = new NDIndex(from + ":" + Math.min(n, from + batch));
            collection.add(slots.get(some), shares.get(some));
        }
        assertEquals(n, collection.count());
        return collection;
    }

    /** Cluster numbers may differ: the other's is that whose centre is nearest. */
    private static int[] matched(SlotLibrary one, SlotLibrary other, NDManager manager) {
        NDArray offsets =
                one.centers(manager).expandDims(1).sub(other.centers(manager).expandDims(0));
        long[] nearest = offsets.square().sum(new int[] {2}).argMin(1).toLongArray();
        return Arrays.stream(nearest).mapToInt(k -> (int) k).toArray();
    }

    @Test
    void fewSlotsGiveTheLibraryOfOneArray(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 2, 60, 3, 4);
        SlotLibrary expected = SlotLibrary.of(slots, shares(manager, 60), standard());
        SlotLibrary library = collected(manager, slots, 7, ALL).library();
        assertClose("centers", expected.centers(manager), library.centers(manager), 1e-6);
        assertEquals(expected.size(), library.size());
        int[] rows = new int[library.size()];
        for (int row = 0; row < library.size(); row++) {
            rows[row] = row;
            assertEquals(expected.label(row), library.label(row));
            assertEquals(row / 3, library.picture(row));
        }
        Tensors.assertSame("slots", expected.slots(manager, rows), library.slots(manager, rows));
        for (int k = 0; k < 3; k++) {
            assertEquals(expected.meanShare(k), library.meanShare(k), 1e-9);
            assertArrayEquals(expected.nearest(k, 5), library.nearest(k, 5));
        }
        assertEquals(expected.background(), library.background());
    }

    @Test
    void manySlotsGiveTheSameClusters(NDManager manager) {
        NDArray slots = slots(manager, 5000);
        SlotLibrary expected = SlotLibrary.of(slots, null, standard());
        SlotLibrary library = collected(manager, slots, 700, ALL).library();
        int[] theirs = matched(library, expected, manager);
        for (int row = 0; row < expected.size(); row++) {
            assertEquals(expected.label(row), theirs[library.label(row)], "slot " + row);
        }
        assertEquals(5000, library.count(0));
        NDArray all = expected.centers(manager);
        for (int k = 0; k < 3; k++) {
            NDArray center = library.centers(manager).get(k);
            assertClose("center", all.get(theirs[k]), center, 1e-5);
            assertArrayEquals(expected.nearest(theirs[k], 4), library.nearest(k, 4));
        }
        int background = library.label(0);
        assertEquals(background, library.background());
    }

    /** All slots count for the centres, and any picture may be kept. */
    @Test
    void soManyPicturesAreKept(NDManager manager) throws IOException {
        NDArray slots = slots(manager, 5000);
        SlotCollection collection = collected(manager, slots, 700, 200);
        SlotLibrary library = collection.library();
        SlotLibrary all = SlotLibrary.of(slots, null, standard());
        assertEquals(600, library.size());
        int[] theirs = matched(library, all, manager);
        double sum = 0;
        int before = -1;
        for (int row = 0; row < 600; row++) {
            int picture = library.picture(row);
            if (row % 3 == 0) {
                assertTrue(picture > before && picture < 5000, row + " of " + picture);
                before = picture;
                sum += picture;
            }
            Tensors.assertSame(
                    "slot " + row, slots.get(picture, row % 3), library.slots(manager, row).get(0));
            assertEquals(all.label(3 * picture + row % 3), theirs[library.label(row)]);
        }
        // The mean of 200 numbers from 0 to 4999 has a deviation of 102.
        assertEquals(2499.5, sum / 200, 400);
        for (int k = 0; k < 3; k++) {
            assertClose(
                    "center",
                    all.centers(manager).get(theirs[k]),
                    library.centers(manager).get(k),
                    1e-5);
        }
        Path file = folder.resolve("library.safetensors");
        library.write(file);
        SlotLibrary read = SlotLibrary.read(file);
        for (int row = 0; row < 600; row++) {
            assertEquals(library.picture(row), read.picture(row));
            assertEquals(library.label(row), read.label(row));
        }
        // More may be added afterwards.
        collection.add(slots.get("0:1"), shares(manager, 1));
        assertEquals(600, collection.library().size());
        assertEquals(5001, collection.count());
    }

    @Test
    void numbersOfPicturesInAFileAscend(NDManager manager) throws IOException {
        Path file = folder.resolve("library.npz");
        collected(manager, slots(manager, 20), 7, 4).library().write(file);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        try (StateDict read = StateDict.read(file)) {
            arrays.putAll(read.arrays());
            assertEquals(new Shape(4), arrays.get("pictures").getShape());
            arrays.put("pictures", manager.create(new long[] {3, 2, 4, 9}));
            StateDict.of(arrays).write(file);
            IOException e = assertThrows(IOException.class, () -> SlotLibrary.read(file));
            assertEquals(
                    "SlotLibrary: " + file + ": numbers of pictures must ascend from 0, got 2",
                    e.getMessage());
            arrays.put("pictures", manager.create(new long[] {3, 4}));
            StateDict.of(arrays).write(file);
            assertThrows(IOException.class, () -> SlotLibrary.read(file));
        }
    }

    @Test
    void errors(NDManager manager) {
        assertRefused(
                "SlotCollection: limit must be at least 1, got 0",
                () -> new SlotCollection(standard(), 0, 0));
        NDArray slots = slots(manager, 4);
        SlotCollection empty = new SlotCollection(standard(), 5, 0);
        assertEquals(
                "SlotCollection: slots must be at least as many as clusters, got those of 0"
                        + " pictures",
                assertThrows(IllegalStateException.class, empty::library).getMessage());
        assertRefused(
                "SlotCollection: background must be below 3, got 3",
                () ->
                        new SlotCollection(LibraryOptions.builder().optBackground(3).build(), 5, 0)
                                .add(slots, null));
        SlotCollection some = new SlotCollection(standard(), 5, 0).add(slots, null);
        assertRefused(
                "SlotCollection: slots must be (B, 3, 4), got (4, 3, 2)",
                () -> some.add(slots.get(":, :, 0:2"), null));
        assertRefused(
                "SlotCollection: shares must be given of all batches or of none",
                () -> some.add(slots, shares(manager, 4)));
        assertRefused(
                "SlotCollection: slots must be finite in float32, got NaN in slot 0 of picture 4",
                () -> some.add(slots.mul(Float.NaN), null));
        // What was refused was not added.
        assertEquals(4, some.count());
        assertEquals(12, some.library().size());
    }
}
