package org.slotwise.grouping;

import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/** What {@link InvariantSlotAttention} learns. */
record InvariantSlotAttentionLayers(
        Linear query, // D to D
        Linear key, // F to D
        Linear value, // F to D
        GruCell gru, // D to D
        LayerNorm inputNorm, // F
        LayerNorm slotNorm, // D
        Parameter logScale, // ()
        Linear scale, // D to 1
        Linear direction, // D to 2
        Linear relativeFeature, // F to R
        Linear relativePosition, // 2 (1 + 2 L) to R
        Linear relativeOutput, // R to D
        Linear displacement) { // 4 to D

    /** Declares it. Record components are evaluated in order, and so are the parameters. */
    static InvariantSlotAttentionLayers of(Declarer parameters, int d, int f, int r, int l) {
        Declarer relative = parameters.under("relative");
        long code = FourierFeatures.count(l);
        return new InvariantSlotAttentionLayers(
                plain(parameters.under("to_q"), d, d),
                plain(parameters.under("to_k"), f, d),
                plain(parameters.under("to_v"), f, d),
                new GruCell(parameters.under("gru"), d, d),
                LayerNorm.of(parameters.under("norm_input"), f),
                LayerNorm.of(parameters.under("norm_slots"), d),
                // At first a slot looks half the image's half width around itself, whatever it
                // holds.
                parameters.other("log_scale", StartingValues.constant(Math.log(0.5)), true),
                Linear.of(
                        parameters.under("to_scale"),
                        d,
                        1,
                        StartingValues.uniform(0.1 * Math.sqrt(6.0 / (d + 1))),
                        Initializer.ZEROS),
                Linear.of(
                        parameters.under("to_direction"),
                        d,
                        2,
                        Initializer.ZEROS,
                        Initializer.ZEROS),
                biased(relative.under("features"), f, r),
                Linear.of(
                        relative.under("positions"),
                        2 * code,
                        r,
                        StartingValues.xavier(code, r),
                        null),
                biased(relative.under("output"), r, d),
                biased(parameters.under("displacement"), 4, d));
    }

    private static Linear plain(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, StartingValues.xavier(in, out), null);
    }

    private static Linear biased(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, StartingValues.xavier(in, out), Initializer.ZEROS);
    }
}
