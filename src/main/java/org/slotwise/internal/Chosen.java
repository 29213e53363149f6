package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The array that a loss or a score needs, of what a data set or a model gives: the only one, or the
 * one of a known name, or the only one of the form that is needed.
 */
public final class Chosen {

    private Chosen() {}

    /**
     * Chooses.
     *
     * @param who the loss or score that complains
     * @param what "labels" or "predictions"
     * @param list the arrays
     * @param see which class of DJL's picks another one
     * @param names names of the array, the best first
     * @param form whether an array, of those that are there, has the form that is needed
     * @return the array
     * @throws IllegalArgumentException if there is none, or more than one that may be meant
     */
    public static NDArray of(
            String who,
            String what,
            NDList list,
            String see,
            List<String> names,
            Predicate<NDArray> form) {
        if (list.size() == 1) {
            return Check.present(who, what, list.head());
        }
        for (String name : names) {
            List<NDArray> named = list.stream().filter(a -> isNamed(a, name)).toList();
            if (named.size() == 1) {
                return Check.present(who, what, named.get(0));
            }
        }
        List<NDArray> fitting =
                list.stream().filter(a -> form.test(Check.present(who, what, a))).toList();
        Check.option(
                fitting.size() == 1,
                who + ": expected one array of " + what + ", got " + list.size() + "; see " + see);
        return fitting.get(0);
    }

    private static boolean isNamed(NDArray array, String name) {
        return array != null && name.equals(array.getName());
    }
}
