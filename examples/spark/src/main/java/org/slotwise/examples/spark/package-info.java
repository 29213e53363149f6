/**
 * Jobs for Spark: the objects of pictures discovered on any number of machines, and their slots
 * clustered into a library.
 */
package org.slotwise.examples.spark;
