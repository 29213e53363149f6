package org.slotwise.weights;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What loading a {@link StateDict} into blocks would do: see {@link StateDict#report}.
 *
 * @param loaded names of parameters for which there is an array that fits
 * @param missing names of parameters for which there is none
 * @param unexpected names of arrays for which there is no parameter
 * @param misfits one sentence for each array of another shape, or of a type that is not converted
 * @param nearest for missing names the unexpected one that is most like it, if any is
 */
public record LoadReport(
        Set<String> loaded,
        Set<String> missing,
        Set<String> unexpected,
        List<String> misfits,
        Map<String, String> nearest) {

    /** How many names an error lists. */
    private static final int MAX_NAMES = 1000;

    /**
     * Makes a report; its parts cannot be changed.
     *
     * @param loaded names of parameters for which there is an array that fits
     * @param missing names of parameters for which there is none
     * @param unexpected names of arrays for which there is no parameter
     * @param misfits one sentence for each array that does not fit
     * @param nearest for missing names the unexpected one that is most like it, if any is
     */
    public LoadReport {
        loaded = Collections.unmodifiableSet(loaded);
        missing = Collections.unmodifiableSet(missing);
        unexpected = Collections.unmodifiableSet(unexpected);
        misfits = List.copyOf(misfits);
        nearest = Collections.unmodifiableMap(nearest);
    }

    /**
     * Whether all parameters are there and nothing else.
     *
     * @return true if loading would succeed
     */
    public boolean fits() {
        return missing.isEmpty() && unexpected.isEmpty() && misfits.isEmpty();
    }

    /** One line for each kind of fault. */
    String faults() {
        StringBuilder lines = new StringBuilder();
        if (!missing.isEmpty()) {
            lines.append("\n  missing: ").append(some(missing));
        }
        if (!unexpected.isEmpty()) {
            lines.append("\n  unexpected: ").append(some(unexpected));
        }
        if (!nearest.isEmpty()) {
            lines.append(
                    nearest.entrySet().stream()
                            .map(pair -> pair.getKey() + " may be " + pair.getValue())
                            .collect(Collectors.joining(", ", "\n  nearest: ", "")));
        }
        misfits.stream().limit(MAX_NAMES).forEach(misfit -> lines.append("\n  ").append(misfit));
        return lines.toString();
    }

    /** Names for an error; of very many the first. */
    static String some(Collection<String> names) {
        String listed = names.stream().limit(MAX_NAMES).collect(Collectors.joining(", "));
        int more = names.size() - MAX_NAMES;
        return more > 0 ? listed + " and " + more + " more" : listed;
    }
}
