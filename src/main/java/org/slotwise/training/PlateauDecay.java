package org.slotwise.training;

import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.internal.Check;

/**
 * Lowers learning rates where a loss on pictures held out no longer falls.
 *
 * <p>Source: the training code of Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose"
 * (2022), there by half after 4 epochs without a better loss. PyTorch's {@code
 * ReduceLROnPlateau(factor, patience - 1, threshold=0)} does the same.
 *
 * <pre>{@code
 * if loss < best:  best = loss;  waited = 0
 * else:            waited = waited + 1;  if waited = patience:  scale = scale * factor;  waited = 0
 * rate(step) = scale * rate of the schedule(step)
 * }</pre>
 *
 * <p>Other than a {@link LearningRate} it has a state, which {@link Checkpoint} keeps:
 *
 * <pre>{@code
 * PlateauDecay plateau = new PlateauDecay(4, 0.5);
 * Adam adam = Adam.builder().optLearningRate(plateau.of(LearningRate.warmUp(1e-4, 30_000))).build();
 * ...
 * plateau.observe(validationLoss);
 * Checkpoint.write(file, block, adam, step, run, plateau.state());
 * ...
 * plateau.restore(checkpoint.state());
 * }</pre>
 */
public final class PlateauDecay {

    private static final String WHO = "PlateauDecay";
    private static final String BEST = "plateau.best";
    private static final String WAITED = "plateau.waited";
    private static final String SCALE = "plateau.scale";

    private final int patience;
    private final double factor;
    private double best = Double.POSITIVE_INFINITY;
    private int waited;
    private volatile double scale = 1;

    /**
     * Creates the rule, which has seen no loss yet.
     *
     * @param patience after how many losses in a row that are not below the best one rates fall, at
     *     least 1
     * @param factor by what they are multiplied then, above 0 and below 1
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PlateauDecay(int patience, double factor) {
        Check.atLeast(WHO, "patience", patience, 1);
        Check.option(
                factor > 0 && factor < 1,
                WHO + ": factor must be above 0 and below 1, got " + factor);
        this.patience = patience;
        this.factor = factor;
    }

    /**
     * Looks at a loss.
     *
     * @param loss on data held out; NaN is no better than any other
     * @return whether rates fall from now on
     */
    public boolean observe(double loss) {
        if (loss < best) {
            best = loss;
            waited = 0;
            return false;
        }
        waited++;
        if (waited < patience) {
            return false;
        }
        waited = 0;
        scale *= factor;
        return true;
    }

    /**
     * What learning rates are multiplied by.
     *
     * @return 1 at first, then a power of the factor
     */
    public double scale() {
        return scale;
    }

    /**
     * The lowest loss so far.
     *
     * @return infinity before the first
     */
    public double best() {
        return best;
    }

    /**
     * A schedule that falls with the plateaus. All schedules that come from here fall together.
     *
     * @param rate a schedule
     * @return the schedule's rate times {@link #scale}, as it is when the rate is asked for
     */
    public LearningRate of(LearningRate rate) {
        return step -> scale * rate.at(step);
    }

    /**
     * The state, for saving it.
     *
     * @return texts by name, all of which begin with "plateau."
     */
    public Map<String, String> state() {
        Map<String, String> state = new LinkedHashMap<>();
        state.put(BEST, Double.toString(best));
        state.put(WAITED, Integer.toString(waited));
        state.put(SCALE, Double.toString(scale));
        return state;
    }

    /**
     * Goes on from a state.
     *
     * @param state what {@link #state} gave, perhaps among others
     * @throws IllegalArgumentException if something of it is missing or cannot be; nothing is
     *     restored then
     */
    public void restore(Map<String, String> state) {
        double formerBest = number(state, BEST);
        double formerWaited = number(state, WAITED);
        double formerScale = number(state, SCALE);
        Check.option(
                formerWaited >= 0 && formerWaited < patience && formerWaited % 1 == 0,
                WHO
                        + ": "
                        + WAITED
                        + " must be from 0 to below the patience of "
                        + patience
                        + ", got "
                        + state.get(WAITED));
        Check.option(
                formerScale >= 0 && formerScale <= 1,
                WHO + ": " + SCALE + " must be from 0 to 1, got " + formerScale);
        Check.option(!Double.isNaN(formerBest), WHO + ": " + BEST + " must be a number, got NaN");
        best = formerBest;
        waited = (int) formerWaited;
        scale = formerScale;
    }

    private static double number(Map<String, String> state, String name) {
        String text = state.get(name);
        Check.option(
                text != null, WHO + ": the state must have " + name + ", got " + state.keySet());
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    WHO + ": " + name + " must be a number, got " + text, e);
        }
    }
}
