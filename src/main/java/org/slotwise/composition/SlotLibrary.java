package org.slotwise.composition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The slots of many pictures, clustered: new pictures are made of one slot from each of several
 * clusters.
 *
 * <p>Source: Singh et al., "Illiterate DALL-E learns to compose" (2022), section 4 and appendix
 * (libraries of slots by k-means); one slot of each cluster as in the course assignment COL775 of
 * IIT Delhi.
 *
 * <p>Slots are taken as they are, neither normalised nor weighted. The library is in Java's memory,
 * never changes, and may be used by several threads. Of slots that come batch by batch a {@link
 * SlotCollection} makes one.
 */
public final class SlotLibrary {

    private static final String WHO = "SlotLibrary";

    private final LibraryContent content;
    private final LibraryMembers all;
    private final LibraryMembers members; // all, or those that are not empty slots
    private final int background;

    SlotLibrary(LibraryContent content) {
        this.content = content;
        all = LibraryMembers.all(content);
        members = content.members() == null ? all : LibraryMembers.some(content, content.members());
        boolean isSet = content.background() != LibraryContent.UNKNOWN;
        background = isSet ? content.background() : largest();
    }

    private int largest() {
        int largest = -1;
        for (int k = 0; content.shares() != null && k < members.clusters(); k++) {
            boolean larger = largest < 0 || meanShare(k) > meanShare(largest);
            largest = members.count(k) > 0 && larger ? k : largest;
        }
        return largest;
    }

    /**
     * Clusters slots.
     *
     * @param slots (N, K, D), float32, float64 or float16, finite; kept in float32
     * @param shares (N, K), how much of the attention each slot has, the mean over places; null if
     *     that is not known
     * @param options how
     * @return the library
     * @throws IllegalArgumentException if an input has another shape or type or is not finite, or
     *     there are fewer slots than clusters
     */
    public static SlotLibrary of(NDArray slots, @Nullable NDArray shares, LibraryOptions options) {
        return of(slots, shares, null, options);
    }

    /**
     * Clusters slots from given centres.
     *
     * @param slots (N, K, D), float32, float64 or float16, finite; kept in float32
     * @param shares (N, K), how much of the attention each slot has; null if that is not known
     * @param initial (C, D), the centres to start from, of the slots' type; null to draw them
     * @param options how; C must be the number of clusters
     * @return the library
     * @throws IllegalArgumentException as without centres, or if they have another shape or type
     */
    public static SlotLibrary of(
            NDArray slots,
            @Nullable NDArray shares,
            @Nullable NDArray initial,
            LibraryOptions options) {
        return new SlotLibrary(SlotClustering.of(slots, shares, initial, options));
    }

    /**
     * Draws new pictures.
     *
     * @param count how many, from 1 to 10,000,000
     * @param rule which slots make one
     * @param seed what decides the draws
     * @return the pictures' slots
     * @throws IllegalArgumentException if the count is out of range, a cluster that is drawn from
     *     is none of the library or has no members, there are fewer clusters of objects than {@link
     *     CompositionRule#backgroundAnd} may draw from, or the background is not known
     */
    public Composition compose(int count, CompositionRule rule, long seed) {
        return Composition.draw(this, count, rule, seed, false);
    }

    /**
     * Draws new pictures of slots of different pictures: one with two slots of one source is drawn
     * anew.
     *
     * @param count how many, from 1 to 10,000,000
     * @param rule which slots make one
     * @param seed what decides the draws
     * @return the pictures' slots
     * @throws IllegalArgumentException as {@link #compose}, or if 1,000 draws of a picture had two
     *     slots of one source each time
     */
    public Composition composeOfDifferent(int count, CompositionRule rule, long seed) {
        return Composition.draw(this, count, rule, seed, true);
    }

    /**
     * The same library without empty slots: slots that have less than a part of what those of their
     * cluster have of the attention on average are no members any more, and are not drawn. They
     * look like nothing that a decoder has learnt to draw: as a background, one leaves the picture
     * to the objects. A cluster's largest slots stay. Rows, pictures and labels are as before.
     * {@link #write} writes all slots, and which are members. {@link CompositionRule#shifted},
     * which draws none, takes empty ones too.
     *
     * @param leastPart from 0 to 1; 0.5 is meant
     * @return the library; the background's cluster is the same, and so are those of empty slots
     * @throws IllegalArgumentException if the number is out of range, or shares are not known
     */
    public SlotLibrary withoutEmptySlots(double leastPart) {
        Check.option(
                leastPart >= 0 && leastPart <= 1,
                WHO + ": leastPart must be from 0 to 1, got " + leastPart);
        float[] shares = content.shares();
        if (shares == null) {
            throw new IllegalArgumentException(
                    WHO
                            + ": empty slots are not known without shares of the attention; give"
                            + " shares where the library is made");
        }
        return new SlotLibrary(content.withMembers(members.full(leastPart, shares), background));
    }

    /** A member of a cluster: {@link LibraryMembers#member}. */
    int member(int cluster, double u, int... there) {
        return members.member(cluster, u, there);
    }

    private int checkedRow(int row) {
        Check.option(
                row >= 0 && row < size(),
                WHO + ": row must be from 0 to " + (size() - 1) + ", got " + row);
        return row;
    }

    private int checkedCluster(int cluster) {
        Check.option(
                cluster >= 0 && cluster < clusters(),
                WHO + ": cluster must be from 0 to " + (clusters() - 1) + ", got " + cluster);
        return cluster;
    }

    void copySlot(int row, float[] to, int at) {
        int dim = content.slotDim();
        System.arraycopy(content.slots(), row * dim, to, at, dim);
    }

    /**
     * How many slots there are.
     *
     * @return N K
     */
    public int size() {
        return content.labels().length;
    }

    /**
     * How many clusters there are.
     *
     * @return C
     */
    public int clusters() {
        return members.clusters();
    }

    /**
     * How many slots each picture has.
     *
     * @return K
     */
    public int slotsPerPicture() {
        return content.slotsPerPicture();
    }

    /**
     * The size of a slot.
     *
     * @return D
     */
    public int slotDim() {
        return content.slotDim();
    }

    /**
     * The picture that a slot comes from.
     *
     * @param row from 0 to size - 1
     * @return its number, row / K; of a {@link SlotCollection} that did not keep all, as they were
     *     counted there
     */
    public int picture(int row) {
        return content.picture(checkedRow(row));
    }

    /**
     * The cluster of a slot.
     *
     * @param row from 0 to size - 1
     * @return from 0 to C - 1
     */
    public int label(int row) {
        return content.labels()[checkedRow(row)];
    }

    /**
     * How many slots a cluster has.
     *
     * @param cluster from 0 to C - 1
     * @return at least 0
     */
    public int count(int cluster) {
        return members.count(checkedCluster(cluster));
    }

    /**
     * How much of the attention a slot has.
     *
     * @param row from 0 to size - 1
     * @return from 0 to 1; NaN if shares are not known
     */
    public double share(int row) {
        checkedRow(row);
        float[] shares = content.shares();
        return shares == null ? Double.NaN : shares[row];
    }

    /**
     * How much of the attention the slots of a cluster have, on average.
     *
     * @param cluster from 0 to C - 1
     * @return from 0 to 1; NaN if shares are not known or the cluster has no members
     */
    public double meanShare(int cluster) {
        return members.meanShare(checkedCluster(cluster));
    }

    /**
     * The cluster of the background: that which was set, or that of the largest mean share.
     *
     * @return from 0 to C - 1
     * @throws IllegalArgumentException if it was not set, and shares are not known
     */
    public int background() {
        Check.option(
                background >= 0,
                WHO
                        + ": the background's cluster is not known without shares of the attention;"
                        + " give shares, or LibraryOptions.optBackground");
        return background;
    }

    /**
     * Whether a cluster holds empty slots: its mean share of the attention is smaller than the
     * limit, in relation to 1 / K. Those that {@link #withoutEmptySlots} left out count here:
     * without the smallest of them, empty slots would pass for objects.
     *
     * @param cluster from 0 to C - 1
     * @return false where shares are not known
     */
    public boolean isEmptySlots(int cluster) {
        double share = all.meanShare(checkedCluster(cluster));
        return share < content.leastShare() / content.slotsPerPicture();
    }

    /**
     * The members of a cluster that are nearest to its centre.
     *
     * @param cluster from 0 to C - 1
     * @param count how many at most, at least 1
     * @return rows, the nearest first
     */
    public int[] nearest(int cluster, int count) {
        checkedCluster(cluster);
        Check.atLeast(WHO, "count", count, 1);
        double[] distance = new double[size()];
        float[] slots = content.slots();
        float[] centers = content.centers();
        int slotDim = content.slotDim();
        for (int row : members.rows(cluster).toArray()) {
            for (int d = 0; d < slotDim; d++) {
                double offset = (double) slots[row * slotDim + d] - centers[cluster * slotDim + d];
                distance[row] += offset * offset;
            }
        }
        return members.rows(cluster)
                .boxed()
                .sorted(Comparator.comparingDouble(row -> distance[row]))
                .limit(count)
                .mapToInt(row -> row)
                .toArray();
    }

    /**
     * Slots of the library.
     *
     * @param manager what owns the result
     * @param rows which, each from 0 to size - 1
     * @return (number of rows, D) float32
     * @throws IllegalArgumentException if none is asked for, or one is out of range
     */
    public NDArray slots(NDManager manager, int... rows) {
        Check.option(rows.length > 0, WHO + ": rows must be at least 1, got none");
        Limits.numbers(WHO, "rows", rows.length, slotDim());
        float[] values = new float[rows.length * slotDim()];
        for (int i = 0; i < rows.length; i++) {
            copySlot(checkedRow(rows[i]), values, i * slotDim());
        }
        return manager.create(values, new Shape(rows.length, slotDim()));
    }

    /**
     * The centres of the clusters.
     *
     * @param manager what owns the result
     * @return (C, D) float32
     */
    public NDArray centers(NDManager manager) {
        return manager.create(content.centers(), new Shape(clusters(), slotDim()));
    }

    /**
     * Writes the library to a file. Whatever fails, the old file or the new one is there, never a
     * part.
     *
     * @param path a path that ends in ".safetensors" or ".npz"
     * @throws IOException if it cannot be written
     * @throws IllegalArgumentException if the path has another ending
     */
    public void write(Path path) throws IOException {
        LibraryFile.write(path, content);
    }

    /**
     * Reads a library that {@link #write} wrote.
     *
     * @param path its file
     * @return the library
     * @throws IOException if it cannot be read, is damaged, or holds no library; the message names
     *     the file and what is wrong
     */
    public static SlotLibrary read(Path path) throws IOException {
        return new SlotLibrary(LibraryFile.read(path));
    }
}
