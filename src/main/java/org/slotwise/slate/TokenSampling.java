package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.SplitMix;

/**
 * How tokens are drawn from what the transformer predicts.
 *
 * <pre>{@code
 * token ~ softmax(logits / temperature)            among the topK largest logits
 * }</pre>
 *
 * <p>Draws come from a generator of their own: the same seed gives the same pictures, and picture b
 * of a batch draws as it would in any other batch.
 *
 * @param temperature above 0; the lower, the nearer to the most probable token
 * @param topK how many of the most probable tokens are drawn from, at least 1
 * @param seed any number
 */
public record TokenSampling(double temperature, int topK, long seed) {

    /**
     * Creates the sampling.
     *
     * @param temperature above 0
     * @param topK at least 1
     * @param seed any number
     * @throws IllegalArgumentException if a number is out of its range
     */
    public TokenSampling {
        Check.positive("TokenSampling", "temperature", temperature);
        Check.atLeast("TokenSampling", "topK", topK, 1);
    }

    /**
     * Draws from all tokens.
     *
     * @param temperature above 0
     * @param seed any number
     * @return the sampling
     * @throws IllegalArgumentException if the temperature is out of its range
     */
    public static TokenSampling ofAll(double temperature, long seed) {
        return new TokenSampling(temperature, Integer.MAX_VALUE, seed);
    }

    /** The generators of a batch, one for each picture. */
    SplitMix[] generators(int batch) {
        SplitMix[] generators = new SplitMix[batch];
        Arrays.setAll(generators, i -> new SplitMix(seed, i));
        return generators;
    }

    /** Tokens (B) int64 of logits (B, V). */
    NDArray draw(NDArray logits, SplitMix[] generators) {
        double[] all = Ops.read(logits);
        int size = all.length / generators.length;
        long[] tokens = new long[generators.length];
        for (int i = 0; i < tokens.length; i++) {
            double[] own = Arrays.copyOfRange(all, i * size, (i + 1) * size);
            tokens[i] = draw(own, generators[i].between(0.0, 1.0));
        }
        return Ops.indices(logits, tokens);
    }

    /** The token of one picture, u being uniform in [0, 1). */
    int draw(double[] logits, double u) {
        double[] sorted = logits.clone();
        Arrays.sort(sorted);
        double least = sorted[Math.max(0, sorted.length - topK)];
        double largest = sorted[sorted.length - 1];
        double[] weights = new double[logits.length];
        double total = 0;
        for (int i = 0; i < logits.length; i++) {
            weights[i] = logits[i] < least ? 0 : Math.exp((logits[i] - largest) / temperature);
            total += weights[i];
        }
        double rest = u * total;
        int last = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                last = i;
                rest -= weights[i];
                if (rest < 0) {
                    break;
                }
            }
        }
        return last;
    }
}
