package org.slotwise.grouping;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.StateDict;

/** The options of Latent Slot Diffusion's {@code MultiHeadSTEVESA}: from a folder, and for one. */
final class SteveFolder {

    private static final String KIND = "MultiHeadSTEVESA";
    private static final String PLACES = "pos.pe";

    /** A coordinate in float16 is off by less. */
    private static final double ROUNDING = 1e-3;

    private SteveFolder() {}

    static SteveOptions read(DiffusersFolder folder) throws IOException {
        folder.requireKind(KIND);
        // Gradients would go through the last iteration alone, and to the starts beside it.
        folder.require("bi_level", "false");
        SteveOptions options =
                new SteveOptions(
                        required(folder, "input_resolution"),
                        required(folder, "input_size"),
                        required(folder, "num_slots"),
                        required(folder, "slot_size"),
                        required(folder, "out_size"),
                        required(folder, "mlp_hidden_size"),
                        required(folder, "num_iterations"),
                        required(folder, "num_heads"),
                        folder.number("epsilon", 1e-8),
                        folder.flag("learnable_slot_init", false));
        folder.refuseOthers();
        return options;
    }

    /** The original has no default for it either. */
    private static int required(DiffusersFolder folder, String name) throws IOException {
        int value = folder.integer(name, 0);
        if (value < 1) {
            throw new IOException(
                    folder.path() + ": " + name + " must be there and at least 1, got " + value);
        }
        return value;
    }

    static Map<String, Object> options(SteveOptions options) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("_class_name", KIND);
        all.put("bi_level", false);
        all.put("epsilon", options.eps());
        all.put("input_resolution", options.side());
        all.put("input_size", options.featureDim());
        all.put("learnable_slot_init", options.learntStarts());
        all.put("mlp_hidden_size", options.hidden());
        all.put("num_heads", options.heads());
        all.put("num_iterations", options.iterations());
        all.put("num_slots", options.slots());
        all.put("out_size", options.outDim());
        all.put("slot_size", options.dim());
        return all;
    }

    /**
     * Requires the coordinates of places that weights have to be those of the options: nothing else
     * in them is of that size, and other places would be told in silence.
     */
    static void requirePlaces(DiffusersFolder folder, int side) throws IOException {
        try (StateDict theirs = folder.weights()) {
            if (!theirs.names().contains(PLACES)) {
                return;
            }
            NDArray got = theirs.get(PLACES);
            boolean same =
                    got.getShape().equals(new Shape(1, 4, side, side))
                            && got.getDataType().isFloating();
            double[] expected = places(side);
            double[] values = same ? Ops.read(got) : expected;
            for (int i = 0; same && i < expected.length; i++) {
                same = Math.abs(values[i] - expected[i]) <= ROUNDING;
            }
            if (!same) {
                throw new IOException(
                        folder.path()
                                + ": input_resolution must be that of the places in the weights, "
                                + PLACES
                                + " "
                                + got.getShape()
                                + ", got "
                                + side);
            }
        }
    }

    /** (4, r, r): rows, columns, and what is left to 1 of both. */
    private static double[] places(int side) {
        int n = side * side;
        double[] p = new double[4 * n];
        for (int i = 0; i < n; i++) {
            int row = i / side;
            p[i] = (row + 0.5) / side;
            p[n + i] = (i % side + 0.5) / side;
            p[2 * n + i] = 1 - p[i];
            p[3 * n + i] = 1 - p[n + i];
        }
        return p;
    }

    /** The arrays, and the coordinates of places, (1, 4, r, r), which their state dict has. */
    static StateDict withPlaces(StateDict theirs, int side, NDManager manager) {
        Map<String, NDArray> all = new LinkedHashMap<>(theirs.arrays());
        all.put(
                PLACES,
                Scalars.of(
                        manager,
                        Device.cpu(), // it goes to a file
                        places(side),
                        new Shape(1, 4, side, side),
                        DataType.FLOAT32));
        return StateDict.of(all);
    }
}
