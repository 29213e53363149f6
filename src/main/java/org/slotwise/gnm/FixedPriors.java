package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.StartingValues;

/** The priors that are no weights, but are kept with them, and used as they were loaded. */
record FixedPriors(
        Distribution what,
        Distribution background,
        Distribution depth,
        Distribution where,
        Parameter presence) {

    /** A normal distribution that is kept. */
    record Distribution(Parameter mean, Parameter deviation) {

        static Distribution of(
                Declarer parameters, String name, double[] mean, double[] deviation) {
            long[] shape = mean.length == 1 ? new long[] {1} : new long[] {1, mean.length};
            return new Distribution(
                    parameters.other(name + "_mean", constants(mean), false, shape),
                    parameters.other(name + "_std", constants(deviation), false, shape));
        }

        private static Initializer constants(double... values) {
            return (manager, shape, type) ->
                    Scalars.of(manager, manager.getDevice(), values, shape, type);
        }

        Gaussian value(Pass pass) {
            return new Gaussian(pass.value(mean), pass.value(deviation));
        }
    }

    private static final double[] ZERO = {0};
    private static final double[] ONE = {1};

    static FixedPriors of(Declarer parameters) {
        return new FixedPriors(
                Distribution.of(parameters, "aux_p_what", ZERO, ONE),
                Distribution.of(parameters, "aux_p_bg", ZERO, ONE),
                Distribution.of(parameters, "aux_p_depth", ZERO, ONE),
                Distribution.of(
                        parameters,
                        "aux_p_where",
                        new double[] {-1.5, 0, 0, 0},
                        new double[] {0.1, 0.3, 1, 1}),
                parameters.other("aux_p_pres_probs", StartingValues.constant(0.1), false));
    }

    /** The probability of an object, (): the buffer's, or another. */
    NDArray presence(Pass pass, @Nullable Double other) {
        NDArray kept = pass.value(presence);
        return other == null ? kept : Scalars.like(kept, other);
    }

    /** The prior of where, (1, 4): the buffer's, or with another mean of size. */
    Gaussian where(Pass pass, @Nullable Double size) {
        Gaussian kept = where.value(pass);
        if (size == null) {
            return kept;
        }
        NDArray first = Scalars.like(kept.mean(), size).reshape(1, 1);
        return new Gaussian(first.concat(kept.mean().get(":, 1:"), 1), kept.deviation());
    }
}
