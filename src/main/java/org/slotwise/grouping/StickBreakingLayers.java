package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/** What {@link StickBreakingGrouping} learns. */
record StickBreakingLayers(
        Parameter kernelLogVar, // ()
        Layer inputNorm, // F
        Linear in, // F to F
        @Nullable Parameter gate, // ()
        Linear out) { // F to D

    /** Declares it, under the reference's names and in its order. */
    static StickBreakingLayers of(Declarer parameters, StickBreakingGrouping.Builder options) {
        Parameter kernelLogVar =
                parameters.other(
                        "kernel_logvar",
                        StartingValues.constant(Math.log(options.kernelVar)),
                        options.learnKernelVar);
        int f = options.featureDim;
        Declarer in = parameters.under("in_proj");
        Layer norm = options.inputLayerNorm ? LayerNorm.of(in.under("0"), f) : Layer.NONE;
        return new StickBreakingLayers(
                kernelLogVar,
                norm,
                linear(options.inputLayerNorm ? in.under("1") : in, f, f),
                options.semiConvolutional
                        ? parameters.other("gate", Initializer.ZEROS, true)
                        : null,
                linear(parameters.under("out_proj"), f, options.objectDim));
    }

    private static Linear linear(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, StartingValues.xavier(in, out), Initializer.ZEROS);
    }

    /** in_proj(x), times the gate where there is one: (B, N, F). */
    NDArray projectIn(Pass pass, NDArray x) {
        try (Scope scope = new Scope()) {
            NDArray y = in.apply(pass, inputNorm.apply(pass, x));
            return scope.keep(gate == null ? y : y.mul(pass.value(gate)));
        }
    }
}
