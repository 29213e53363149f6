package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A whole model with inputs and weights. */
interface WholeModel {

    /** The name of a training step's inputs; others say how many pictures there are. */
    String STEP = "step";

    /** The inputs by which predictions and training steps are compared; null for none. */
    record Compared(@Nullable String predicted, @Nullable String trained) {

        /** Those of what is measured: torch.compile compiles for each anew. */
        static Compared of(List<String> measured) {
            boolean memory = measured.contains("memory");
            boolean step = memory || measured.contains(STEP);
            boolean prediction = memory || measured.stream().anyMatch(one -> !one.equals(STEP));
            return new Compared(prediction ? "1" : null, step ? STEP : null);
        }
    }

    /** How many pictures a training step takes. */
    int batch();

    /** What Python is asked for. */
    JsonObject request();

    /** Weights after "parameters.", and after "inputs." what is seen and what slots start from. */
    Map<String, NDArray> numbers();

    /** The ways in which this process computes it. */
    List<ModelWay> ways(Compared compared);

    /**
     * Whether two ways are near enough.
     *
     * @param times how many times further apart they may be than rounding makes them
     */
    default boolean holds(Agreement found, double times) {
        // A ReLU whose input is zero but for rounding may fall to either side.
        return found.outputs() < times * 1e-4 && found.gradients() < times * 1e-2;
    }
}
