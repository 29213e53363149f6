package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/**
 * Between the names and layouts of another implementation and those of this library, both ways.
 *
 * <pre>{@code
 * NameMap map = NameMap.builder()
 *         .rule("models.perceptual_grouping.slot_attention.*", "grouping.*")
 *         .rule("*.kernel", "*.weight", KerasConversions.dense())
 *         .drop("losses.*")
 *         .build();
 * StateDict ours = map.apply(theirs);
 * StateDict theirsAgain = map.revert(ours);
 * }</pre>
 *
 * <p>Each * of a rule stands for any characters, dots too; the name on the other side has as many.
 * For a name the first rule that fits counts. A name that no rule fits is an error, unless {@link
 * Builder#optKeepOthers} says otherwise: nothing is lost in silence. What is missing shows when the
 * result is loaded.
 *
 * <p>{@link KnownLayouts} has the maps of several implementations.
 */
public final class NameMap {

    private static final String WHO = "NameMap";

    /** How many names an error lists. */
    private static final int MAX_LINES = 100;

    /** A rule; without a conversion its arrays are dropped or, with a reason, refused. */
    private record Rule(
            NamePattern from,
            List<NamePattern> to,
            @Nullable Conversion conversion,
            @Nullable String refusal,
            boolean alias) {}

    /** One array of theirs and the arrays of ours that make it. */
    private record Target(Rule rule, List<String> stars) {

        List<String> names() {
            return rule.to.stream().map(pattern -> pattern.fill(stars)).toList();
        }
    }

    private final List<Rule> rules;
    private final boolean keepOthers;

    private NameMap(Builder builder) {
        rules = List.copyOf(builder.rules);
        keepOthers = builder.keepOthers;
    }

    /**
     * Gives arrays the names and layouts of this library.
     *
     * @param theirs arrays of the other implementation
     * @return a state dict that shares the arrays whose values do not change and owns the others;
     *     closing it also closes a file's arrays that it shares
     * @throws IllegalArgumentException if a name fits no rule or is refused, two arrays would have
     *     one name, or values cannot be represented; the error names them
     */
    public StateDict apply(StateDict theirs) {
        Set<String> leftOver = new LinkedHashSet<>();
        Map<String, Target> targets = new LinkedHashMap<>();
        for (String name : theirs.names()) {
            Target target = find(name);
            if (target == null) {
                leftOver.add(name);
            } else if (target.rule.refusal != null) {
                throw new IllegalArgumentException(
                        message(theirs, name + " " + target.rule.refusal));
            }
            targets.put(name, target);
        }
        checkLeftOver(theirs, leftOver, rules.stream().map(rule -> rule.from.toString()).toList());
        return converted(
                theirs,
                (manager, result) ->
                        targets.forEach(
                                (name, target) -> {
                                    NDArray array = theirs.get(name);
                                    if (target == null) {
                                        put(theirs, result, name, array);
                                    } else if (target.rule.conversion != null) {
                                        List<NDArray> parts =
                                                convert(
                                                        theirs,
                                                        manager,
                                                        name,
                                                        array,
                                                        target.rule.conversion);
                                        List<String> names = target.names();
                                        Check.option(
                                                parts.size() == names.size(),
                                                message(
                                                        theirs,
                                                        name
                                                                + " must become "
                                                                + names
                                                                + ", got arrays: "
                                                                + parts.size()));
                                        for (int i = 0; i < names.size(); i++) {
                                            put(theirs, result, names.get(i), parts.get(i));
                                        }
                                    }
                                }));
    }

    private @Nullable Target find(String name) {
        for (Rule rule : rules) {
            List<String> stars = rule.from.match(name);
            if (stars != null) {
                return new Target(rule, stars);
            }
        }
        return null;
    }

    private List<NDArray> convert(
            StateDict dict, NDManager manager, String name, NDArray array, Conversion conversion) {
        try (Scope scope = new Scope()) {
            return conversion.apply(array).stream()
                    .map(part -> own(part, List.of(array), manager, scope))
                    .toList();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(message(dict, name + " " + e.getMessage()), e);
        }
    }

    /**
     * Gives arrays the names and layouts of the other implementation, for instance to write them to
     * a file for it. What {@link #apply} drops is not there.
     *
     * @param ours arrays of this library
     * @return a state dict that shares the arrays whose values do not change and owns the others
     * @throws IllegalArgumentException as for {@link #apply}, and if some of several arrays that
     *     make one of theirs are missing
     */
    public StateDict revert(StateDict ours) {
        Set<String> leftOver = new LinkedHashSet<>();
        Map<String, @Nullable Target> targets = new LinkedHashMap<>();
        for (String name : ours.names()) {
            Target target = findBack(name);
            String theirs = name;
            if (target == null) {
                leftOver.add(name);
            } else {
                theirs = target.rule.from.fill(target.stars);
            }
            // The same target comes again where several arrays make one.
            boolean taken = targets.containsKey(theirs);
            if (taken && (target == null || !target.equals(targets.get(theirs)))) {
                throw new IllegalArgumentException(twice(ours, theirs));
            }
            targets.put(theirs, target);
        }
        List<String> known =
                rules.stream().flatMap(rule -> rule.to.stream()).map(Object::toString).toList();
        checkLeftOver(ours, leftOver, known);
        return converted(
                ours,
                (manager, result) ->
                        targets.forEach(
                                (name, target) -> {
                                    NDArray array =
                                            target == null
                                                    ? ours.get(name)
                                                    : revert(ours, manager, name, target);
                                    put(ours, result, name, array);
                                }));
    }

    private @Nullable Target findBack(String name) {
        for (Rule rule : rules) {
            for (NamePattern pattern : rule.to) {
                List<String> stars = rule.alias ? null : pattern.match(name);
                if (stars != null) {
                    return new Target(rule, stars);
                }
            }
        }
        return null;
    }

    private static NDArray revert(StateDict ours, NDManager manager, String name, Target target) {
        List<String> names = target.names();
        List<String> missing = names.stream().filter(part -> !ours.names().contains(part)).toList();
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(
                    message(ours, name + " needs " + names + ", missing: " + missing));
        }
        List<NDArray> parts = names.stream().map(ours::get).toList();
        Conversion conversion = target.rule.conversion;
        if (conversion == null) {
            throw new IllegalStateException(name);
        }
        try (Scope scope = new Scope()) {
            return own(conversion.revert(parts), parts, manager, scope);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    message(ours, String.join(", ", names) + " " + e.getMessage()), e);
        }
    }

    /** An input as it is, a result as a copy in memory of its own. */
    private static NDArray own(
            NDArray array, List<NDArray> inputs, NDManager manager, Scope scope) {
        if (inputs.stream().anyMatch(input -> input == array)) {
            return array;
        }
        NDArray copy = scope.keep(manager.create(array.getShape(), array.getDataType()));
        Ops.overwrite(copy, array);
        return copy;
    }

    private interface Work {
        void run(NDManager manager, Map<String, NDArray> result);
    }

    private static StateDict converted(StateDict from, Work work) {
        NDManager manager =
                from.owner() == null
                        ? NDManager.newBaseManager(Device.cpu(), "PyTorch")
                        : from.owner().newSubManager();
        boolean done = false;
        try {
            Map<String, NDArray> result = new LinkedHashMap<>();
            NoGraph.during(
                    () -> {
                        work.run(manager, result);
                        return result;
                    });
            done = true;
            return from.with(result, manager);
        } finally {
            if (!done) {
                manager.close();
            }
        }
    }

    private static void put(
            StateDict from, Map<String, NDArray> result, String name, NDArray array) {
        if (result.put(name, array) != null) {
            throw new IllegalArgumentException(twice(from, name));
        }
    }

    private static String twice(StateDict dict, String name) {
        return message(dict, "two arrays would be named " + name);
    }

    private void checkLeftOver(StateDict from, Set<String> leftOver, List<String> known) {
        if (keepOthers || leftOver.isEmpty()) {
            return;
        }
        NearestName nearestName = new NearestName(known);
        String lines =
                leftOver.stream()
                        .limit(MAX_LINES)
                        .map(
                                name -> {
                                    String nearest = nearestName.of(name);
                                    String hint =
                                            nearest == null
                                                    ? ""
                                                    : " (nearest rule: " + nearest + ")";
                                    return "\n  " + name + hint;
                                })
                        .collect(Collectors.joining());
        int more = leftOver.size() - MAX_LINES;
        String rest = more > 0 ? "\n  and " + more + " more" : "";
        throw new IllegalArgumentException(
                message(from, "no rule for these names:" + lines + rest));
    }

    private static String message(StateDict dict, String what) {
        return WHO + ": " + dict.source() + ": " + what;
    }

    /**
     * Starts a map.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link NameMap}. Rules count in the order in which they are added. */
    public static final class Builder {
        private final List<Rule> rules = new ArrayList<>();
        private boolean keepOthers;

        private Builder() {}

        /**
         * Adds a rule that changes names only.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @param ours the name here, with as many *
         * @return this
         * @throws IllegalArgumentException if the numbers of * differ
         */
        public Builder rule(String theirs, String ours) {
            return rule(theirs, List.of(ours), Conversion.none());
        }

        /**
         * Adds a rule that changes names and values.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @param ours the name here, with as many *
         * @param conversion what happens to the values
         * @return this
         * @throws IllegalArgumentException if the numbers of * differ
         */
        public Builder rule(String theirs, String ours, Conversion conversion) {
            return rule(theirs, List.of(ours), conversion);
        }

        /**
         * Adds a rule that makes several arrays of one.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @param ours the names here, each with as many *
         * @param conversion what happens to the values; gives as many arrays as there are names
         * @return this
         * @throws IllegalArgumentException if the numbers of * differ, or there is no name
         */
        public Builder rule(String theirs, List<String> ours, Conversion conversion) {
            return add(theirs, ours, conversion, false);
        }

        private Builder add(
                String theirs, List<String> ours, Conversion conversion, boolean alias) {
            NamePattern from = new NamePattern(theirs);
            List<NamePattern> to = ours.stream().map(NamePattern::new).toList();
            Check.option(!to.isEmpty(), WHO + ": " + theirs + " needs a name; drop it instead");
            for (NamePattern pattern : to) {
                Check.option(
                        pattern.stars() == from.stars(),
                        WHO + ": " + theirs + " and " + pattern + " must have as many * each");
            }
            rules.add(new Rule(from, to, conversion, null, alias));
            return this;
        }

        /**
         * Adds another name that an array may have over there, in an older version for instance. It
         * counts when a map is applied; back the array gets the name of a {@link #rule}.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @param ours the name here, with as many *
         * @param conversion what happens to the values
         * @return this
         * @throws IllegalArgumentException if the numbers of * differ
         */
        public Builder alias(String theirs, String ours, Conversion conversion) {
            return add(theirs, List.of(ours), conversion, true);
        }

        /**
         * Adds a rule for arrays that are not needed here, as buffers and losses.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @return this
         */
        public Builder drop(String theirs) {
            rules.add(new Rule(new NamePattern(theirs), List.of(), null, null, false));
            return this;
        }

        /**
         * Adds a rule for arrays that cannot be represented here.
         *
         * @param theirs a name of the other implementation, with a * for any characters
         * @param why ends the sentence that begins with the name
         * @return this
         */
        public Builder refuse(String theirs, String why) {
            rules.add(new Rule(new NamePattern(theirs), List.of(), null, why, false));
            return this;
        }

        /**
         * Adds all rules of another map.
         *
         * @param other a map
         * @return this
         */
        public Builder rules(NameMap other) {
            rules.addAll(other.rules);
            return this;
        }

        /**
         * Sets what happens to names that fit no rule.
         *
         * @param keepOthers true to keep them as they are; if not set they are an error
         * @return this
         */
        public Builder optKeepOthers(boolean keepOthers) {
            this.keepOthers = keepOthers;
            return this;
        }

        /**
         * Builds the map.
         *
         * @return the map
         */
        public NameMap build() {
            return new NameMap(this);
        }
    }
}
