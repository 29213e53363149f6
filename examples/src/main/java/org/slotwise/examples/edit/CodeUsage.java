package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** How often each code of each latent was used to describe an object. */
final class CodeUsage {

    private final long[][] counts;

    /**
     * Starts to count.
     *
     * @param latents how many latents a slot has
     * @param codes how many codes a latent has
     */
    CodeUsage(int latents, int codes) {
        counts = new long[latents][codes];
    }

    /**
     * Counts the codes of some scenes.
     *
     * @param codes (B, K, L)
     * @param background for each scene the slot that is no object
     */
    void add(NDArray codes, long[] background) {
        int slots = (int) codes.getShape().get(1);
        long[] numbers = codes.toLongArray();
        int at = 0;
        for (long none : background) {
            for (int k = 0; k < slots; k++) {
                for (long[] latent : counts) {
                    int code = (int) numbers[at++];
                    if (k != none) {
                        latent[code]++;
                    }
                }
            }
        }
    }

    /**
     * How many codes a latent uses: that many, were they used equally often.
     *
     * @param latent the latent's number
     * @return the exponential of the entropy, from 1 to M
     */
    double perplexity(int latent) {
        double total = Arrays.stream(counts[latent]).sum();
        double entropy = 0;
        for (long count : counts[latent]) {
            if (count > 0) {
                entropy -= count / total * Math.log(count / total);
            }
        }
        return Math.exp(entropy);
    }

    /**
     * The codes of a latent that were used at all, the most frequent ones first.
     *
     * @param latent the latent's number
     * @return their numbers
     */
    List<Integer> used(int latent) {
        long[] of = counts[latent];
        return IntStream.range(0, of.length)
                .filter(code -> of[code] > 0)
                .boxed()
                .sorted(Comparator.comparingLong(code -> -of[code]))
                .toList();
    }
}
