package org.slotwise.clustering;

/** How {@link BoundedStart} finds which centres features are nearest to, the first of equals. */
interface AssignmentStep {

    /** Begins a start, of which nothing is known yet. */
    void begin();

    /**
     * Finds the labels for centres (K)(F), and notes those that change in {@link ChangedLabels}.
     */
    void assign(float[][] centers);

    /**
     * Tells how far the centres have moved since.
     *
     * @param by how far each
     * @param anew whether a cluster was empty, after which labels do not tell the clusters
     */
    void moved(double[] by, boolean anew);
}
