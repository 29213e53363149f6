package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.Arrays;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * Starting values that decide whether a {@link Gnm} finds objects at all within some thousand
 * steps. With PyTorch's, which the block has by itself, the background explains everything in a
 * short training, and no cell is ever on.
 *
 * <p>Each number is what the network says at first, whatever it sees: biases are set, and weights
 * of the heads that are named made smaller.
 *
 * @param presenceLogit of every cell, between -8.8 and 8.8
 * @param presenceGain what the weight of presence is multiplied by
 * @param size mean of size before the sigmoid, also of its fixed prior
 * @param whereDeviations four, of size, proportions, and shift right and down
 * @param deviation of depth and what
 * @param backgroundBias before the sigmoid of each colour of the background: below 0 it is dark
 */
public record GnmStart(
        double presenceLogit,
        double presenceGain,
        double size,
        List<Double> whereDeviations,
        double deviation,
        double backgroundBias) {

    private static final String WHO = "GnmStart";

    /**
     * Creates the start.
     *
     * @param presenceLogit between -8.8 and 8.8
     * @param presenceGain at least 0
     * @param size finite
     * @param whereDeviations four, from 1e-9 to 1e9
     * @param deviation from 1e-9 to 1e9
     * @param backgroundBias finite
     * @throws IllegalArgumentException if a number is out of its range
     */
    public GnmStart {
        Check.option(
                Math.abs(presenceLogit) < CellNetwork.LOGIT_SCALE,
                WHO + ": presenceLogit must be between -8.8 and 8.8, got " + presenceLogit);
        Check.notNegative(WHO, "presenceGain", presenceGain);
        Check.option(
                Double.isFinite(size) && Double.isFinite(backgroundBias),
                WHO
                        + ": size and backgroundBias must be finite, got "
                        + (size + " and " + backgroundBias));
        Check.option(
                whereDeviations.size() == 4,
                WHO + ": whereDeviations must be 4, got " + whereDeviations.size());
        whereDeviations = List.copyOf(whereDeviations);
        whereDeviations.forEach(d -> Limits.deviation(WHO, "whereDeviations", d));
        Limits.deviation(WHO, "deviation", deviation);
    }

    /**
     * Objects are likely, of about a quarter of the picture's width, and the background is dark.
     *
     * @return the start, to be used with {@link GnmSchedules#likelyObjects}
     */
    public static GnmStart likelyObjects() {
        return new GnmStart(2, 0.1, -1, List.of(0.1, 0.1, 0.2, 0.2), 0.1, -3);
    }

    /**
     * Sets the starting values of a block.
     *
     * @param block an initialised block
     * @throws IllegalArgumentException if the block is not initialised
     */
    public void applyTo(Gnm block) {
        Check.option(block.isInitialized(), WHO + ": the block must be initialized");
        NoGraph.during(
                () -> {
                    set(block);
                    return block;
                });
    }

    private void set(Gnm block) {
        String cells = "p_z_given_x_or_g_net.";
        // The logit is 8.8 tanh of what the head gives.
        double share = presenceLogit / CellNetwork.LOGIT_SCALE;
        double atanh = (Math.log1p(share) - Math.log1p(-share)) / 2;
        fill(block, cells + "q_pres_net.bias", atanh);
        multiply(block, cells + "q_pres_net.weight");
        double[] where = new double[8];
        where[0] = size;
        for (int i = 0; i < 4; i++) {
            where[4 + i] = beforeSoftplus(whereDeviations.get(i));
        }
        put(block, cells + "q_where_net.bias", where);
        put(block, "aux_p_where_mean", new double[] {size, 0, 0, 0});
        deviations(block, cells + "q_depth_net.bias");
        deviations(block, cells + "q_what_net.bias");
        if (block.sizes().picture().background()) {
            List<Integer> steps = block.sizes().networks().background().steps();
            int number = 0;
            for (int step : steps.subList(0, steps.size() - 1)) {
                number += step == 1 ? 3 : 4; // a shuffle is a module too
            }
            String bias = "p_bg_decoder.p_bg_decoder.conv." + number + ".bias";
            fill(block, bias, backgroundBias);
        }
    }

    /** The second half of a bias gives deviations. */
    private void deviations(Gnm block, String name) {
        double[] values = Ops.read(parameter(block, name));
        Arrays.fill(values, values.length / 2, values.length, beforeSoftplus(deviation));
        put(block, name, values);
    }

    private static double beforeSoftplus(double value) {
        return Math.log(Math.expm1(value));
    }

    private static void fill(Gnm block, String name, double value) {
        double[] values = new double[(int) parameter(block, name).size()];
        Arrays.fill(values, value);
        put(block, name, values);
    }

    private void multiply(Gnm block, String name) {
        double[] values = Ops.read(parameter(block, name));
        for (int i = 0; i < values.length; i++) {
            values[i] *= presenceGain;
        }
        put(block, name, values);
    }

    private static NDArray parameter(Gnm block, String name) {
        Parameter parameter = block.getDirectParameters().get(name);
        return Check.present(WHO, name, parameter == null ? null : parameter.getArray());
    }

    private static void put(Gnm block, String name, double[] values) {
        NDArray array = parameter(block, name);
        try (Scope scope = new Scope()) {
            NDArray made =
                    Scalars.of(
                            array.getManager(),
                            array.getDevice(),
                            values,
                            array.getShape(),
                            array.getDataType());
            Ops.overwrite(array, made);
            scope.keep(made).close();
        }
    }
}
