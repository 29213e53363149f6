package org.slotwise.composition;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Which slots of a library make a new picture.
 *
 * <p>A rule about clusters is none about objects: a cluster may hold empty slots, two clusters may
 * hold backgrounds, and a scene with several objects of one kind is made by none of these but
 * {@link #shifted}.
 */
public abstract class CompositionRule {

    private static final String WHO = "CompositionRule";

    private CompositionRule() {}

    /**
     * Draws the rows of one picture.
     *
     * @param library from which
     * @param picture the number of the new picture
     * @param random where draws come from
     * @return rows of the library
     */
    abstract int[] rows(SlotLibrary library, int picture, SplitMix random);

    /** Refuses a library that the rule has no use for. */
    abstract void check(SlotLibrary library);

    /**
     * One slot of each cluster, in the order of clusters: each member as likely as any other,
     * independently.
     *
     * @return the rule
     */
    public static CompositionRule onePerCluster() {
        return new CompositionRule() {
            @Override
            void check(SlotLibrary library) {
                for (int k = 0; k < library.clusters(); k++) {
                    requireMembers(library, k);
                }
            }

            @Override
            int[] rows(SlotLibrary library, int picture, SplitMix random) {
                int[] rows = new int[library.clusters()];
                for (int k = 0; k < rows.length; k++) {
                    rows[k] = library.member(k, random.between(0.0, 1.0));
                }
                return rows;
            }
        };
    }

    /**
     * One slot of each of some clusters, in the order that is given; a cluster may be given twice,
     * for two of its slots, as long as it has as many.
     *
     * @param clusters at least one number, each from 0 to C - 1
     * @return the rule
     * @throws IllegalArgumentException if none is given, or one is negative
     */
    public static CompositionRule of(int... clusters) {
        Check.option(clusters.length > 0, WHO + ": clusters must be at least 1, got none");
        for (int k : clusters) {
            Check.atLeast(WHO, "clusters", k, 0);
        }
        int[] chosen = clusters.clone();
        return new CompositionRule() {
            @Override
            void check(SlotLibrary library) {
                for (int k : chosen) {
                    Check.option(
                            k < library.clusters(),
                            WHO
                                    + ": clusters must be from 0 to "
                                    + (library.clusters() - 1)
                                    + ", got "
                                    + k);
                    requireMembers(library, k);
                }
            }

            @Override
            int[] rows(SlotLibrary library, int picture, SplitMix random) {
                int[] rows = new int[chosen.length];
                Arrays.fill(rows, -1);
                for (int i = 0; i < rows.length; i++) {
                    rows[i] = library.member(chosen[i], random.between(0.0, 1.0), rows);
                }
                return rows;
            }
        };
    }

    /**
     * One slot of the background's cluster, then some of others, each of another cluster. Clusters
     * of empty slots take no part.
     *
     * @param min how many objects at least, at least 0
     * @param max how many at most; each number from min to max is as likely
     * @return the rule
     * @throws IllegalArgumentException if min is below 0, or above max
     */
    public static CompositionRule backgroundAnd(int min, int max) {
        Check.atLeast(WHO, "min", min, 0);
        Check.option(min <= max, WHO + ": min must be at most max, got " + min + " and " + max);
        return new CompositionRule() {
            @Override
            void check(SlotLibrary library) {
                requireMembers(library, library.background());
                int others = objects(library).size();
                Check.option(
                        max <= others,
                        WHO
                                + ": max must be at most "
                                + others
                                + ", as many of "
                                + library.clusters()
                                + " clusters hold objects, got "
                                + max
                                + "; LibraryOptions: more come of more clusters, or of a smaller"
                                + " leastShare");
            }

            @Override
            int[] rows(SlotLibrary library, int picture, SplitMix random) {
                List<Integer> left = objects(library);
                int[] rows = new int[1 + random.between(min, max)];
                rows[0] = library.member(library.background(), random.between(0.0, 1.0));
                for (int i = 1; i < rows.length; i++) {
                    int cluster = left.remove(random.below(left.size()));
                    rows[i] = library.member(cluster, random.between(0.0, 1.0));
                }
                return rows;
            }
        };
    }

    /** Clusters with members that are neither the background nor empty slots. */
    private static List<Integer> objects(SlotLibrary library) {
        List<Integer> objects = new ArrayList<>();
        for (int k = 0; k < library.clusters(); k++) {
            if (k != library.background() && !library.isEmptySlots(k) && library.count(k) > 0) {
                objects.add(k);
            }
        }
        return objects;
    }

    /**
     * Slot k of new picture i is slot k of picture (i + k) mod N: no clusters, and no draws, so
     * that it makes no difference which slots are members ({@link SlotLibrary#withoutEmptySlots}).
     * It means something only where slots have fixed roles, as from learnt starts. Wu et al.,
     * "SlotDiffusion: object-centric generative modeling with diffusion models" (2023), within a
     * batch.
     *
     * @return the rule
     */
    public static CompositionRule shifted() {
        return new CompositionRule() {
            @Override
            void check(SlotLibrary library) {}

            @Override
            int[] rows(SlotLibrary library, int picture, SplitMix random) {
                int slots = library.slotsPerPicture();
                int pictures = library.size() / slots;
                int[] rows = new int[slots];
                for (int k = 0; k < slots; k++) {
                    rows[k] = (picture % pictures + k) % pictures * slots + k;
                }
                return rows;
            }
        };
    }

    private static void requireMembers(SlotLibrary library, int cluster) {
        Check.option(
                library.count(cluster) > 0,
                "SlotLibrary: cluster "
                        + cluster
                        + " has no members to draw from; CompositionRule.of leaves it out, or take"
                        + " fewer clusters");
    }
}
