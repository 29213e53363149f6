package org.slotwise.weights;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** The name that was probably meant, by the fewest characters to change. */
final class NearestName {

    private static final int LONGEST = 512;

    /** How many pairs of characters are compared in all: a second's work. */
    private static final long MOST = 200_000_000;

    private final Collection<String> candidates;
    private long compared;

    NearestName(Collection<String> candidates) {
        this.candidates = candidates;
    }

    /**
     * The candidate nearest to a name, or null if more than a third of the name would change, or
     * there were too many to look at.
     */
    @Nullable String of(String name) {
        String nearest = null;
        int least = name.length() / 3 + 1;
        for (String candidate : candidates) {
            if (candidate.length() <= LONGEST
                    && name.length() <= LONGEST
                    && Math.abs(candidate.length() - name.length()) < least) {
                compared += (long) candidate.length() * name.length();
                if (compared > MOST) {
                    return null;
                }
                int distance = distance(name, candidate);
                if (distance < least) {
                    least = distance;
                    nearest = candidate;
                }
            }
        }
        return nearest;
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            before[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(before[j - 1] + change, 1 + Math.min(before[j], row[j - 1]));
            }
            before = row;
        }
        return before[b.length()];
    }
}
