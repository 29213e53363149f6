package org.slotwise.benchmark;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** Looks whether all ways compute the same before anything is timed. */
final class Comparison {

    /** What torch.compile is called. */
    private static final String COMPILE = "compile";

    private Comparison() {}

    /**
     * Leaves those that take part, and stops unless they agree as far as the arguments ask for.
     *
     * @param what is computed
     * @param ways from which those go that take no part or drop out
     * @param out where it is said how far they are apart
     */
    static void keep(
            Object what, List<? extends Computed> ways, Arguments arguments, PrintStream out) {
        double within = arguments.within();
        keep(what, ways, arguments, found -> found.holds(within), out);
    }

    /**
     * Leaves those that take part, and stops unless all agree with the first; one that cannot
     * compute this at all drops out.
     *
     * @param what is computed
     * @param ways from which those go that take no part or drop out
     * @param arguments say who takes part
     * @param holds whether an agreement is good enough
     * @param out where it is said how far they are apart
     */
    static void keep(
            Object what,
            List<? extends Computed> ways,
            Arguments arguments,
            Predicate<Agreement> holds,
            PrintStream out) {
        ways.removeIf(way -> !arguments.takesPart(way.name()));
        if (ways.isEmpty()) {
            throw new IllegalArgumentException("nobody is left who computes " + what);
        }
        Computed first = ways.get(0);
        Map<String, float[]> expected = first.results();
        for (Computed way : List.copyOf(ways.subList(1, ways.size()))) {
            boolean compiles = way.name().equals(COMPILE);
            if (compiles) {
                out.println(what + ": torch.compile compiles, which may take minutes");
            }
            long begin = System.nanoTime();
            Map<String, float[]> found;
            try {
                found = way.results();
            } catch (IllegalStateException e) {
                out.printf("%s, without %s: %s%n", what, way.name(), e.getMessage());
                ways.remove(way);
                continue;
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            Map<String, float[]> some = new LinkedHashMap<>(expected);
            if (!way.trains()) {
                some.keySet().retainAll(found.keySet());
            }
            Agreement agreement = Agreement.of(found, some);
            out.printf(
                    Locale.ROOT,
                    "%s, %s and %s: %s%s%n",
                    what,
                    first.name(),
                    way.name(),
                    agreement,
                    compiles ? String.format(Locale.ROOT, ", after %.0f s", seconds) : "");
            if (!holds.test(agreement)) {
                throw new IllegalStateException(way.name() + " does not agree");
            }
        }
    }
}
