package org.slotwise.composition;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.weights.StateDict;

/**
 * A {@link SlotLibrary} in a file of arrays: {@code slots} (N, K, D), {@code labels} (N K) int64,
 * {@code centers} (C, D), {@code settings} (the background's cluster or -1, the least share) and,
 * if they are known, {@code shares} (N, K); {@code pictures} (N) int64, their numbers, where they
 * are not 0 to N - 1; {@code members} int64, the rows of those slots that are drawn, where these
 * are not all.
 */
final class LibraryFile {

    private static final String SLOTS = "slots";
    private static final String LABELS = "labels";
    private static final String CENTERS = "centers";
    private static final String SHARES = "shares";
    private static final String SETTINGS = "settings";
    private static final String PICTURES = "pictures";
    private static final String MEMBERS = "members";

    private LibraryFile() {}

    static void write(Path path, LibraryContent c) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            long k = c.slotsPerPicture();
            long n = c.labels().length / k;
            Map<String, NDArray> arrays = new LinkedHashMap<>();
            arrays.put(SLOTS, manager.create(c.slots(), new Shape(n, k, c.slotDim())));
            arrays.put(LABELS, manager.create(Arrays.stream(c.labels()).asLongStream().toArray()));
            Shape centers = new Shape(c.clusters(), c.slotDim());
            arrays.put(CENTERS, manager.create(c.centers(), centers));
            if (c.shares() != null) {
                arrays.put(SHARES, manager.create(c.shares(), new Shape(n, k)));
            }
            put(arrays, PICTURES, c.pictures(), manager);
            put(arrays, MEMBERS, c.members(), manager);
            arrays.put(SETTINGS, manager.create(new double[] {c.background(), c.leastShare()}));
            StateDict.of(arrays).write(path);
        }
    }

    private static void put(
            Map<String, NDArray> arrays, String name, int @Nullable [] some, NDManager manager) {
        if (some != null) {
            arrays.put(name, manager.create(Arrays.stream(some).asLongStream().toArray()));
        }
    }

    static LibraryContent read(Path path) throws IOException {
        try (StateDict file = StateDict.read(path)) {
            NDArray slots = array(path, file, SLOTS, DataType.FLOAT32, 3);
            NDArray labels = array(path, file, LABELS, DataType.INT64, 1);
            NDArray centers = array(path, file, CENTERS, DataType.FLOAT32, 2);
            NDArray settings = array(path, file, SETTINGS, DataType.FLOAT64, 1);
            Shape s = slots.getShape();
            long clusters = centers.getShape().get(0);
            require(path, slots.size() > 0 && clusters > 0, "it is empty");
            require(
                    path,
                    labels.size() == s.get(0) * s.get(1)
                            && centers.getShape().get(1) == s.get(2)
                            && settings.size() == 2,
                    "its arrays do not belong together");
            float[] shares = null;
            if (file.names().contains(SHARES)) {
                NDArray its = array(path, file, SHARES, DataType.FLOAT32, 2);
                require(
                        path,
                        its.getShape().equals(new Shape(s.get(0), s.get(1))),
                        "its arrays do not belong together");
                shares = its.toFloatArray();
                for (float share : shares) {
                    require(path, share >= 0 && share <= 1, "a share is not from 0 to 1");
                }
            }
            int[] label = new int[(int) labels.size()];
            long[] read = labels.toLongArray();
            for (int i = 0; i < label.length; i++) {
                require(
                        path,
                        read[i] >= 0 && read[i] < clusters,
                        "label " + read[i] + " is of none of " + clusters + " clusters");
                label[i] = (int) read[i];
            }
            double background = settings.toDoubleArray()[0];
            require(
                    path,
                    background >= -1 && background < clusters && background % 1 == 0,
                    "background " + background + " is none of " + clusters + " clusters");
            double leastShare = settings.toDoubleArray()[1];
            require(
                    path,
                    leastShare >= 0 && leastShare <= 1,
                    "the least share must be from 0 to 1, and is " + leastShare);
            return new LibraryContent(
                    (int) s.get(1),
                    (int) s.get(2),
                    finite(path, slots),
                    shares,
                    label,
                    finite(path, centers),
                    (int) background,
                    leastShare,
                    pictures(path, file, s.get(0)),
                    ascending(path, file, MEMBERS, label.length - 1));
        }
    }

    private static int @Nullable [] pictures(Path path, StateDict file, long count)
            throws IOException {
        int[] numbers = ascending(path, file, PICTURES, Integer.MAX_VALUE);
        require(
                path,
                numbers == null || numbers.length == count,
                "its arrays do not belong together");
        return numbers;
    }

    /** Numbers that ascend, from 0 to a most; null if the file has none of this name. */
    private static int @Nullable [] ascending(Path path, StateDict file, String name, int most)
            throws IOException {
        if (!file.names().contains(name)) {
            return null;
        }
        long[] read = array(path, file, name, DataType.INT64, 1).toLongArray();
        int[] numbers = new int[read.length];
        long before = -1;
        for (int i = 0; i < read.length; i++) {
            require(
                    path,
                    read[i] > before && read[i] <= most,
                    "numbers of " + name + " must ascend from 0, got " + read[i]);
            before = read[i];
            numbers[i] = (int) read[i];
        }
        return numbers;
    }

    private static NDArray array(
            Path path, StateDict file, String name, DataType type, int dimensions)
            throws IOException {
        require(path, file.names().contains(name), "there is no " + name);
        NDArray array = file.get(name);
        require(
                path,
                array.getDataType() == type && array.getShape().dimension() == dimensions,
                name + " is of another type or shape, " + array.getShape());
        return array;
    }

    private static float[] finite(Path path, NDArray array) throws IOException {
        float[] values = array.toFloatArray();
        for (float value : values) {
            require(path, Float.isFinite(value), "a slot is not finite");
        }
        return values;
    }

    private static void require(Path path, boolean fine, String otherwise) throws IOException {
        if (!fine) {
            throw new IOException("SlotLibrary: " + path + ": " + otherwise);
        }
    }
}
